/** A network card of a machine, and where its cable leads. */
export interface Card {
  /** Its name in the machine. */
  device: string;
  mac: string;
  /** MTU of both ends; the kernel's default is 1500. */
  mtu?: number;
  /** The other end. A device of that name that is left over is replaced. */
  far: { namespace: string; device: string; mac?: string };
  /** `ip` commands for the machine's end at each start, if the machine's uplink does not have them already. */
  commands?: readonly string[];
  /** Configures the other end, each time that it is new. */
  plugged: () => Promise<void>;
}

/** What cards can be put into. */
export interface CardHolder {
  readonly name: string;
  addCard(card: Card): Promise<void>;
}
