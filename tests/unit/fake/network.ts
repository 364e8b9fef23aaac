/** A fake kernel's links, addresses and routes behind ip(8), with the refusals of the real one. */

import { canonicalNetwork } from "../../../gateway/networks.ts";
import { type Answer, ok, Refusal, refused } from "./answer.ts";
import { type FakeLink, type FakeRoute, familyOf, linkJson, routeJson } from "./ip_json.ts";
import type { FakeSysctls } from "./sysctls.ts";

export class FakeNetwork {
  links: FakeLink[] = [];
  routes: FakeRoute[] = [];
  /** Kinds of tunnels that this kernel knows. */
  kinds = ["vxlan", "ip6gre"];

  constructor(private readonly sysctls: FakeSysctls) {}

  addLink(link: Partial<FakeLink> & { name: string }): FakeLink {
    if (this.find(link.name)) throw new Refusal("RTNETLINK answers: File exists");
    const made = { up: false, mtu: 1500, data: {}, addresses: [], ...link };
    this.links.push(made);
    this.sysctls.addDevice(link.name);
    return made;
  }

  find = (name: string | undefined) => this.links.find((l) => l.name === name);

  get(name: string | undefined): FakeLink {
    const link = this.find(name);
    if (!link) throw new Refusal(`Cannot find device "${name}"`, 1);
    return link;
  }

  removeLink(name: string): void {
    this.get(name);
    this.links = this.links.filter((l) => l.name !== name);
    this.dropRoutes(name);
    this.sysctls.removeDevice(name);
    // A VXLAN device goes with the one below it; an ip6gre tunnel stays.
    for (const { name: above } of this.links.filter((l) => l.kind === "vxlan" && l.data["link"] === name)) {
      this.removeLink(above);
    }
  }

  setDown(name: string): void {
    this.get(name).up = false;
    this.dropRoutes(name);
  }

  /** The daemon that held a TUN is gone: a persistent device stays. */
  release(holder: string): void {
    for (const link of this.links.filter((l) => l.holder === holder)) {
      delete link.holder;
      if (!link.persist) this.removeLink(link.name);
    }
  }

  private dropRoutes(device: string): void {
    this.routes = this.routes.filter((r) => r.device !== device || r.type !== "unicast").flatMap((route) => {
      const { hops, ...rest } = route;
      const left = hops?.filter((h) => h.device !== device);
      if (!hops || left?.length === hops.length) return [route];
      // Of one next hop the kernel makes a plain route.
      return left!.length > 1 ? [{ ...rest, hops: left! }] : left!.map((hop) => ({ ...rest, ...hop }));
    });
  }

  /** `argv` without the program's name. */
  ip(argv: string[]): Answer {
    const words = argv.filter((w) => !["-j", "-d", "-s"].includes(w));
    // Without an option the network itself says it.
    const family = words[0] === "-6" || (words[0] === "route" && words.some((w) => w.includes(":"))) ? "inet6" : "inet";
    if (words[0]?.startsWith("-")) words.shift();
    // Its routing table is not looked up: the questions of `route get` get no answer.
    if (words.includes("-batch")) return refused("the fake ip does not look up routes", 1);
    const [object, verb, ...rest] = words;
    switch (`${object} ${verb}`) {
      case "address show":
        return ok(JSON.stringify(this.links.map((l, i) => linkJson(l, i))));
      case "route show":
        return ok(
          JSON.stringify([...this.routes, ...this.connected()].filter((r) => r.family === family).map(routeJson)),
        );
      case "tuntap add":
        return this.tuntap(rest);
      case "link add":
        return this.linkAdd(rest);
      case "link set":
        return this.linkSet(rest);
      case "link del":
        this.removeLink(rest[1]!);
        return ok();
      case "address replace":
      case "address add":
      case "address del":
      case "address flush":
        return this.address(verb!, rest);
      case "route replace":
      case "route add":
      case "route del":
        return this.route(family, verb!, rest);
    }
    throw new Error(`The fake ip does not know: ${argv.join(" ")}`);
  }

  /** What the kernel adds by itself for yggdrasil's own address. */
  private connected(): FakeRoute[] {
    const own = this.links.filter((l) => l.up && l.addresses.some((a) => a.endsWith("/7")));
    return own.map((l) => ({
      family: "inet6",
      to: "200::/7",
      type: "unicast",
      device: l.name,
      protocol: "kernel",
      metric: 256,
    }));
  }

  private tuntap(words: string[]): Answer {
    const name = words[words.indexOf("dev") + 1]!;
    if (this.find(name)) throw new Refusal("ioctl(TUNSETIFF): Device or resource busy", 1);
    this.addLink({ name, kind: "tun", persist: true });
    return ok();
  }

  private linkAdd(words: string[]): Answer {
    const value = after(words);
    const name = words[0] === "dev" ? words[1]! : words[0]!;
    const kind = value("type")!;
    if (!this.kinds.includes(kind)) throw new Refusal("Error: Unknown device type.");
    if (this.find(name)) throw new Refusal("RTNETLINK answers: File exists");
    const underlay = this.get(value("dev")).name;
    if (kind === "vxlan") {
      const [id, port] = [Number(value("id")), Number(value("dstport"))];
      if (this.links.some((l) => l.kind === "vxlan" && l.data["id"] === id && l.data["port"] === port)) {
        throw new Refusal("Error: A VXLAN device with the specified VNI already exists.");
      }
      const data = { id, port, local6: value("local"), remote6: value("remote"), link: underlay };
      this.addLink({ name, kind, data, mtu: 65465 });
    } else {
      this.addLink({
        name,
        kind,
        data: { local: value("local"), remote: value("remote"), link: underlay },
        mtu: 65479,
      });
    }
    return ok();
  }

  private linkSet([, name, ...words]: string[]): Answer {
    const link = this.get(name);
    const mtu = after(words)("mtu");
    if (mtu) link.mtu = Number(mtu);
    if (words.includes("up")) link.up = true;
    if (words.includes("down")) this.setDown(name!);
    return ok();
  }

  private address(verb: string, words: string[]): Answer {
    const link = this.get(after(words)("dev"));
    if (verb === "flush") {
      link.addresses = link.addresses.filter((a) => familyOf(a) === "inet" || a.startsWith("fe80:"));
      return ok();
    }
    const there = link.addresses.includes(words[0]!);
    if (verb === "del" && !there) throw new Refusal("RTNETLINK answers: Cannot assign requested address");
    if (verb === "add" && there) throw new Refusal("RTNETLINK answers: File exists");
    link.addresses = link.addresses.filter((a) => a !== words[0]);
    if (verb !== "del") link.addresses.push(words[0]!);
    return ok();
  }

  private route(family: FakeRoute["family"], verb: string, words: string[]): Answer {
    const [plain, ...nexthops] = words.join(" ").split(" nexthop ").map((part) => part.split(" "));
    const hops = nexthops.map((part) => {
      const [device, via] = [after(part)("dev")!, after(part)("via")];
      if (!this.get(device).up) throw new Refusal("Error: Device for nexthop is not up.");
      return { device, ...(via ? { via } : {}) };
    });
    const value = after(plain!);
    const type = ["blackhole", "unreachable", "prohibit"].includes(words[0]!) ? words[0]! : "unicast";
    const to = canonicalNetwork(type === "unicast" ? words[0]! : words[1]!);
    const metric = Number(value("metric") ?? (family === "inet6" ? 1024 : 0));
    const device = value("dev");
    const via = value("via");
    const protocol = value("proto") ?? "boot";
    if (verb === "del") {
      const index = this.routes.findIndex((r) =>
        r.family === family && r.to === to && (type === "unicast" || r.type === type) &&
        (value("metric") === undefined || r.metric === metric) && (!device || r.device === device) &&
        (!via || r.via === via) && (value("proto") === undefined || r.protocol === protocol)
      );
      if (index < 0) throw new Refusal("RTNETLINK answers: No such process");
      this.routes.splice(index, 1);
      return ok();
    }
    if (type === "unicast" && hops.length === 0 && !this.get(device).up) {
      throw new Refusal("Error: Device for nexthop is not up.");
    }
    const same = this.routes.findIndex((r) => r.family === family && r.to === to && r.metric === metric);
    if (same >= 0 && verb === "add") throw new Refusal("RTNETLINK answers: File exists");
    const lo = type !== "unicast" && family === "inet6" ? { device: "lo" } : {};
    const way = hops.length > 0 ? { hops } : { ...(device ? { device } : lo), ...(via ? { via } : {}) };
    const made = { family, to, type, metric, protocol, ...way };
    if (same >= 0) this.routes[same] = made;
    else this.routes.push(made);
    return ok();
  }
}

/** What follows a word. */
const after = (words: string[]) => (word: string): string | undefined =>
  words.includes(word) ? words[words.indexOf(word) + 1] : undefined;
