/** Keys and capabilities as real daemons gave them. */

import type { CkrSetting } from "../../gateway/capability.ts";

/** Nodes that `yggdrasil -genconf -json` of 0.3.16 made, with what its `-address` and `-subnet` say of them. */
export const OLD_NODES = [
  {
    box: "13ede44cd253326610665012e114cd496e1d063ecf82f99e9c07aa7be2fd267b",
    secret: "0046e317f1b8ea31bf8bf61c1c146e56d2d7ed9e5348a1fed576b1026ab0e8be",
    sign: "8832af4d4b0e157d19180ebf1ef11847e4fd8a9b0471ffd8698a6265c00815fa",
    signSeed: "b31520e05e5468d8c9f5e29d279af677ae764a73347f6b7c9f2ad6d37de8dca7",
    address: "200:6b77:271d:b98c:baf6:d7ed:b37c:3c31",
    subnet: "300:6b77:271d:b98c::/64",
  },
  {
    box: "85177d5479c315d80f15b2605511db1f2f59bdc83c2b9a9c9e40087cf5843360",
    secret: "52da768f28f6673ed6af160575cda08233040c57a2f91c68ea47e71b0f668913",
    sign: "e6d18a7c44b29b96eb2c94632b571a7f1925a9a101a63183c60dbefa46552de9",
    signSeed: "29b380e6981c6b56acd15cba343a6819647130ca49511b7205131b02f4be4486",
    address: "202:23c6:5177:4937:8eff:e7b6:682c:6c6b",
    subnet: "302:23c6:5177:4937::/64",
  },
  {
    box: "197b26b9d88b681e55ffdb7311e101e78414e4550d7493f353f9f704e44fc706",
    secret: "ab81002317776ac89112bf3273957551732013b1b639f715336f16018988e790",
    sign: "ff3d06baca038a60adc7a37db524570fb7a8f7dca7c8cdd35f75afaa6e7e0e26",
    signSeed: "8d290fd8109d16bfc8ce8f34b9e92c102e2cc48ba362b07a9ef524c2a0cde0c7",
    address: "200:6b37:386e:c62f:5053:e3d1:47a8:6882",
    subnet: "300:6b37:386e:c62f::/64",
  },
] as const;

/** The four settings that make a 0.3 daemon this node. */
export const oldKeys = ({ box, secret, sign, signSeed }: typeof OLD_NODES[number]): Record<string, string> => ({
  EncryptionPublicKey: box,
  EncryptionPrivateKey: secret,
  SigningPublicKey: sign,
  SigningPrivateKey: signSeed + sign,
});

export const OLD_KEYS = oldKeys(OLD_NODES[0]);

/** What daemons keep of `TunnelRouting`, in the order of CKR_SETTINGS. */
export const SCHEMAS = {
  "0.3": ["Enable", "IPv4RemoteSubnets", "IPv4LocalSubnets"],
  "1": ["Enable", "IPv4RemoteSubnets"],
  "2": ["Enable", "RemoteSubnets", "InstallRoutes", "YggdrasilRouting"],
  "between": ["Enable", "RemoteSubnets", "InstallRoutes", "YggdrasilRouting", "Addresses"],
  "newest": ["RemoteSubnets", "InstallRoutes", "YggdrasilRouting", "Addresses"],
} as const satisfies Record<string, readonly CkrSetting[]>;

/** A key of today, of a seed of zeros. */
export const SEED = "0".repeat(64);
export const TODAY = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
