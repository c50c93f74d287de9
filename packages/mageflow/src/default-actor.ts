import { hostname, userInfo } from "node:os";

/** Who acts when nobody says so. A container may run as a user id that has no name. */
export function defaultActor(user: () => { username: string } = userInfo): string {
  return `${nameOf(user)}@${hostname()}`;
}

function nameOf(user: () => { username: string }): string {
  try {
    return user().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
