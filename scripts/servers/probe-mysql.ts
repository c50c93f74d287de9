import { conversation, ForeignSpeech, type Line, type Probe } from "./conversation.ts";

/** Longest packet of a handshake (bytes). */
const LONGEST = 30_000;
/** LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const CONNECT_WITH_DB = 0x8;
const UTF8MB4 = 45;

const OK = 0x00;
const PROTOCOL_10 = 0x0a;
const SWITCH = 0xfe;
const ERROR = 0xff;

/** Logs in with an empty password, to the end: a server shuts out hosts that break off too many handshakes. */
export const probeMysql: Probe = conversation("MySQL", 3306, async (line, url) => {
  const user = decodeURIComponent(url.username) || "root";
  const database = decodeURIComponent(url.pathname.slice(1));
  const refused = `the server on ${url.host} does not let ${user} ${database === "" ? "in" : `into ${database}`}`;
  const greeting = await packet(line);
  if (greeting.kind === ERROR) return { is: "refusing", why: `${refused}: ${errorMessage(greeting.body)}` };
  if (greeting.kind !== PROTOCOL_10) throw new ForeignSpeech();
  send(line, 1, response(user, database));
  for (;;) {
    const { kind, sequence, body } = await packet(line);
    switch (kind) {
      case OK:
        send(line, 0, Buffer.from([1]));
        return { is: "ready" };
      case ERROR:
        return { is: "refusing", why: `${refused}: ${errorMessage(body)}` };
      case SWITCH:
        // Every method takes nothing for the empty password.
        send(line, sequence + 1, Buffer.alloc(0));
        break;
      default:
        return { is: "refusing", why: `${refused} without a password` };
    }
  }
});

async function packet(line: Line): Promise<{ kind: number; sequence: number; body: Buffer }> {
  const head = await line.read(4);
  const length = head.readUIntLE(0, 3);
  if (length < 1 || length > LONGEST) throw new ForeignSpeech();
  const body = await line.read(length);
  return { kind: body[0]!, sequence: head[3]!, body };
}

function send(line: Line, sequence: number, body: Buffer): void {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence;
  line.write(Buffer.concat([head, body]));
}

function response(user: string, database: string): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(CAPABILITIES | (database === "" ? 0 : CONNECT_WITH_DB), 0);
  head.writeUInt32LE(LONGEST, 4);
  head[8] = UTF8MB4;
  // After the user the login, which is of no bytes.
  const place = database === "" ? "" : `${database}\0`;
  return Buffer.concat([head, Buffer.from(`${user}\0\0${place}mysql_native_password\0`)]);
}

/** A code of two bytes, and perhaps `#` with the five bytes of a SQL state. */
function errorMessage(body: Buffer): string {
  const text = body.subarray(3).toString();
  return text.startsWith("#") ? text.slice(6) : text;
}
