import { MageFlow, MageFlowError } from "mageflow";

/** Tries to submit, as another user if one is given, and tells what came of it. */
const [store, user] = process.argv.slice(2);
// Modules are loaded when they are needed, and the other user may not be allowed to read them.
const before = new MageFlow({ store: "sqlite::memory:" });
await before.list();
await before.close();
if (user !== undefined) process.setuid!(Number(user));
const mage = new MageFlow({ store: store! });
try {
  await mage.run(mage.task("one", () => null));
  process.stdout.write("stored\n");
} catch (error) {
  const { name, code, message } = error as MageFlowError;
  const typed = error instanceof MageFlowError;
  process.stdout.write(`refused ${JSON.stringify({ name, code, message, typed })}\n`);
}
await mage.close();
