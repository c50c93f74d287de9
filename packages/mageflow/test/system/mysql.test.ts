import { describe } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { findServer, freshDatabase } from "../stores/mysql-server.ts";
import { processCases } from "./process-cases.ts";

const server = await findServer();

describe("processes on MySQL", needs(server), () => {
  processCases(() => freshDatabase(server));
});
