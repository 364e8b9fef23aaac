/** All checks, in the order in which they are asked and shown: from the machine to the far host. */

import { acceptRa } from "./accept_ra.ts";
import { blackholeRoute } from "./blackhole_route.ts";
import type { Check } from "./check.ts";
import { clock } from "./clock.ts";
import { conflicts } from "./conflicts.ts";
import { conntrack } from "./conntrack.ts";
import { disk } from "./disk.ts";
import { drift } from "./drift.ts";
import { forwardPolicy } from "./forward_policy.ts";
import { forwardingSysctl } from "./forwarding_sysctl.ts";
import { inputPolicy } from "./input_policy.ts";
import { logs } from "./logs.ts";
import { mssClamp } from "./mss_clamp.ts";
import { natRule } from "./nat_rule.ts";
import { networkManagers } from "./network_managers.ts";
import { overlayAddress } from "./overlay_address.ts";
import { overlayIdentity } from "./overlay_identity.ts";
import { overlayPeers } from "./overlay_peers.ts";
import { overlayRoute } from "./overlay_route.ts";
import { overlayService } from "./overlay_service.ts";
import { packages } from "./packages.ts";
import { pathMtu } from "./path_mtu.ts";
import { pool } from "./pool.ts";
import { poolRoute } from "./pool_route.ts";
import { prefixRoute } from "./prefix_route.ts";
import { prefixRouted } from "./prefix_routed.ts";
import { probe } from "./probe.ts";
import { rpFilter } from "./rp_filter.ts";
import { translatorConfig } from "./translator_config.ts";
import { translatorDevice } from "./translator_device.ts";
import { translatorService } from "./translator_service.ts";
import { tunDevice } from "./tun_device.ts";
import { tunnelRouting } from "./tunnel_routing.ts";
import { upkeep } from "./upkeep.ts";
import { uplink } from "./uplink.ts";

export const CHECKS: readonly Check[] = [
  packages,
  tunDevice,
  overlayService,
  overlayIdentity,
  overlayPeers,
  tunnelRouting,
  overlayAddress,
  overlayRoute,
  translatorService,
  translatorConfig,
  translatorDevice,
  pool,
  poolRoute,
  prefixRoute,
  blackholeRoute,
  forwardingSysctl,
  rpFilter,
  uplink,
  acceptRa,
  forwardPolicy,
  inputPolicy,
  natRule,
  mssClamp,
  pathMtu,
  prefixRouted,
  conntrack,
  conflicts,
  networkManagers,
  disk,
  clock,
  logs,
  drift,
  upkeep,
  probe,
];
