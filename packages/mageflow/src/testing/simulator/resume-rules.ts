import type { AutoResumeOptions } from "../../runtime/auto-resume.ts";
import { random } from "./random.ts";

/** Tasks are named by number; plans seldom have more. */
const NAMES = 16;

/** Draws what each process of a seed says of tasks that lose their worker: nothing, under every second seed. */
export function resumeRules(seed: number): () => AutoResumeOptions {
  const draw = random(seed, "rules");
  if (draw.chance(0.5)) return () => ({});
  return () => ({
    enabled: draw.chance(0.7),
    except: Array.from({ length: NAMES }, (_, n) => `t${n}`).filter(() => draw.chance(0.2)),
    ...(draw.chance(0.5) ? { stagger: { perSecond: draw.whole(1, 50) } } : {}),
  });
}
