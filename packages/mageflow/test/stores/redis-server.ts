import { findServerOf, type TestServer } from "../../../../scripts/servers/find-server.ts";

/** What tests keep there belongs to stores of theirs, and expires. */
export function findRedis(): Promise<TestServer> {
  return findServerOf("redis");
}
