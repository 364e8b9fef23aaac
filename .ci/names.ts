/** What releases are called, and where they are. */

import { VERSION } from "../commands/version.ts";
import type { Target } from "./compile.ts";

/** On GitHub. The organisation is a placeholder until there is one; README and CHANGELOG name it as well (a unit test compares). */
export const REPOSITORY = "crxn-gateway/crxn";

/** Where the files of the newest release are. */
export const LATEST = `https://github.com/${REPOSITORY}/releases/latest/download`;

/** Who is asked about the Debian package. */
export const MAINTAINER = "The crxn developers <crxn@crxn-gateway.invalid>";

export const binaryName = (target: Target) => `crxn-${VERSION}-${target}`;

/** Of the Debian package: the version, and the first packaging of it. "~" is before the release (deb-version(7)). */
export const debianVersion = (version = VERSION): string => `${version.replace("-", "~")}-1`;

/** Without "~", which GitHub would replace in the name of an asset: SHA256SUMS would name a file that is not there. */
export const debName = (architecture: string, version = VERSION): string => `crxn_${version}-1_${architecture}.deb`;
