import { conversation, ForeignSpeech, type Line, type Probe } from "./conversation.ts";

/** Longest message that a server sends before it lets somebody in (bytes). */
const LONGEST = 30_000;
const PROTOCOL_3 = 196_608;

/** Starts a session as the user and in the database of the URL. */
export const probePostgres: Probe = conversation("PostgreSQL", 5432, async (line, url) => {
  const user = decodeURIComponent(url.username) || "postgres";
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  const refused = `PostgreSQL on ${url.host} does not let ${user} into ${database}`;
  line.write(startup({ user, database }));
  for (;;) {
    const { kind, body } = await message(line);
    if (kind === "E") return { is: "refusing", why: `${refused}: ${errorMessage(body)}` };
    if (kind === "R" && body.readInt32BE(0) !== 0)
      return { is: "refusing", why: `${refused} without a password` };
    // Whether there is such a user and such a database is looked at after the login.
    if (kind === "Z") break;
  }
  line.write(Buffer.from([0x58, 0, 0, 0, 4]));
  return { is: "ready" };
});

async function message(line: Line): Promise<{ kind: string; body: Buffer }> {
  const head = await line.read(5);
  const length = head.readInt32BE(1) - 4;
  const kind = String.fromCharCode(head[0]!);
  // Login, error, notice, parameter, key, ready: all that may come.
  if (!"RENSKZ".includes(kind) || length < (kind === "R" ? 4 : 1) || length > LONGEST)
    throw new ForeignSpeech();
  return { kind, body: await line.read(length) };
}

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(`${Object.entries(parameters).flat().join("\0")}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
}

/** The field M of an ErrorResponse. */
function errorMessage(body: Buffer): string {
  const field = body
    .toString()
    .split("\0")
    .find((text) => text.startsWith("M"));
  if (field === undefined) throw new ForeignSpeech();
  return field.slice(1);
}
