/** Addresses of files to fetch, as apt's own downloader takes them. */
import { Fault } from "./problem.ts";
import { checkHost } from "./uri.ts";
import { type Kind, kind } from "./values.ts";

export const DOWNLOAD_EXAMPLE = "https://example.net/yggdrasil-linux-amd64";
const WRITE = `https://HOST/FILE, http://HOST/FILE or file:///PATH, such as ${DOWNLOAD_EXAMPLE}`;

/** `overlay.daemon.url`. The sum decides whether the file is the right one, so http:// is as good as https://. */
export const downloadUrl: Kind = kind(
  "the URL of a file",
  WRITE,
  /[A-Za-z0-9._~:/?&=%+@,[\]-]/,
  "^(https?|file)://[A-Za-z0-9._~:/?&=%+@,\\[\\]-]+$",
  (text) => {
    const found = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)([^?]*)(\?.*)?$/.exec(text);
    if (!found) throw new Fault("is not the URL of a file: it has no scheme", `write ${WRITE}`);
    const [, scheme, authority, path, query] = found as unknown as [string, string, string, string, string | undefined];
    if (!["https", "http", "file"].includes(scheme)) {
      throw new Fault(`has the scheme ${scheme}://, which crxn does not fetch from`, `write ${WRITE}`);
    }
    if (text.length > 2000) throw new Fault(`is too long: ${text.length} characters`, "use a URL of at most 2000");
    if (authority.includes("@")) {
      throw new Fault(
        "has a user name or password in it",
        "put the file where it can be fetched without: its sum guards it",
      );
    }
    if (/\/\.\.?(\/|$)/.test(path)) throw new Fault("is not a plain path", "write it without '.' or '..'");
    if (!path.startsWith("/") || path.endsWith("/")) throw new Fault("names no file", `write ${WRITE}`);
    if (scheme === "file") {
      if (authority !== "" || query !== undefined || !/^\/[A-Za-z0-9_.+~/-]+$/.test(path)) {
        throw new Fault("is not file:// and an absolute path", "write it like file:///root/yggdrasil.deb");
      }
    } else checkHost(authority, DOWNLOAD_EXAMPLE);
    if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new Fault("has a % without two hex digits", "write %25 for a % sign");
    return text;
  },
);
