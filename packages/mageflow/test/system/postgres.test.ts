import { describe } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { dropSchema, findServer, freshSchema } from "../stores/postgres-server.ts";
import { processCases } from "./process-cases.ts";

const server = await findServer();

describe("processes on PostgreSQL", needs(server), () => {
  processCases(() => {
    const { url, schema } = freshSchema(server);
    return { url, [Symbol.asyncDispose]: () => dropSchema(server, schema) };
  });
});
