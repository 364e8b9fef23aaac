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

/** Of the Debian package: the version, and the first packaging of it. */
export const DEBIAN_VERSION = `${VERSION.replace(/-/, "~")}-1`;

export const debName = (architecture: string) => `crxn_${DEBIAN_VERSION}_${architecture}.deb`;
