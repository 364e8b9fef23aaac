/** How secret keys are named in configs of yggdrasil's, and what may stand before their values. Pure. */

export const SECRET_NAME = "(?:Encryption|Signing)?PrivateKey";

/** Between a name, its colon and its value HJSON allows comments, in which a former key may be. */
export const GAP = String.raw`(?:\s|#[^\n]*\n|//[^\n]*\n|/\*[^]*?\*/)*`;
