import { hostname, userInfo } from "node:os";
import { expect, test } from "vitest";
import { defaultActor } from "./default-actor.ts";

test("is the user on the host", () => {
  expect(defaultActor()).toBe(`${userInfo().username}@${hostname()}`);
});

test("is the id of a user that has no name, as in a container", () => {
  const nameless = () => {
    throw new Error("ENOENT: uv_os_get_passwd");
  };
  expect(defaultActor(nameless)).toBe(`uid ${process.getuid?.()}@${hostname()}`);
});
