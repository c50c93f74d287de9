import { createInterface } from "node:readline/promises";

/** Where a person is asked. */
interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** True when there is somebody to ask. The question goes to stderr: stdout may be piped into something. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks for a whole `yes`; anything else, and the end of the input, is a no. */
export async function askYes(
  question: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  const lines = createInterface({ input, output });
  try {
    const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    const answer = await Promise.race([lines.question(`${question} Type yes: `), ended]);
    return answer.trim() === "yes";
  } finally {
    lines.close();
  }
}
