import { conversation, ForeignSpeech, type Line, type Probe } from "./conversation.ts";

/** Longest line of an answer (bytes). */
const LONGEST = 1_000;

export const probeRedis: Probe = conversation("Redis", 6379, async (line, url) => {
  line.write(Buffer.from("PING\r\n"));
  const answer = await textLine(line);
  if (answer === "+PONG") return { is: "ready" };
  // A refusal begins with a code: NOAUTH, LOADING, DENIED.
  if (!/^-[A-Z]+ /.test(answer)) throw new ForeignSpeech();
  return { is: "refusing", why: `Redis on ${url.host} refuses to answer: ${answer.slice(1)}` };
});

async function textLine(line: Line): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n")) {
    if (text.length === LONGEST) throw new ForeignSpeech();
    text += (await line.read(1)).toString("latin1");
  }
  return text.slice(0, -2);
}
