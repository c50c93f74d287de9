import { type Backend, backendOf } from "./backends.ts";
import { canCompose, compose, remove } from "./compose.ts";
import { canInstall, install } from "./debian.ts";
import { Ledger, type Started } from "./ledger.ts";
import { locate, locateUsual, type Place } from "./locate.ts";
import { end, launch } from "./own-server.ts";
import { type Identity, isAlive } from "./process-identity.ts";

export interface Wish {
  readonly backends: readonly Backend[];
  /** What listens on the standard ports is left alone. */
  readonly own: boolean;
  /** To whom belongs what is started; null when to all. */
  readonly owner: Identity | null;
  /** Hears what is done, a line each. */
  readonly say: (line: string) => void;
}

/** Where each backend is. Starts what is not there: installed servers, or those that apt brings, or those of the compose file. */
export async function provide(wish: Wish): Promise<Map<Backend, Place>> {
  using ledger = new Ledger();
  for (const server of ledger.orphans()) await finish(ledger, server, wish.say);
  const places = new Map<Backend, Place>();
  for (const backend of wish.backends) {
    const place = await provideOne(ledger, backend, wish);
    wish.say(`${backend.title}: ${place.is === "found" ? place.url : `${place.is}: ${place.why}`}`);
    places.set(backend, place);
  }
  return places;
}

/** Ends what was started here: what belongs to all, or what belongs to the owner. Whatever a `run` that is gone has left is ended, too. */
export async function stop(owner: Identity | null, say: Wish["say"]): Promise<void> {
  using ledger = new Ledger();
  const chosen = owner === null ? ledger.shared() : ledger.ownedBy(owner);
  for (const server of [...chosen, ...ledger.orphans()]) await finish(ledger, server, say);
}

async function provideOne(ledger: Ledger, backend: Backend, wish: Wish): Promise<Place> {
  try {
    if (process.env[backend.variable] !== undefined) return await locate(backend);
    const earlier = await startedEarlier(ledger, backend, wish.say);
    if (earlier !== null) return { is: "found", url: earlier.url };
    const usual = wish.own ? null : await locateUsual(backend);
    if (usual?.is === "found") return usual;
    const why = usual === null ? [] : [usual.why];
    const server = await start(backend, wish, why, (started) => ledger.add(started, wish.owner));
    return server === null ? { is: "missing", why: why.join("; ") } : { is: "found", url: server.url };
  } catch (error) {
    return { is: "missing", why: (error as Error).message };
  }
}

/** One that belongs to all and still lets in. What is left of one that does not is removed. */
async function startedEarlier(ledger: Ledger, backend: Backend, say: Wish["say"]): Promise<Started | null> {
  for (const server of ledger.shared().filter(({ backend: name }) => name === backend.name)) {
    const isOurs = server.kind === "compose" || isAlive(server.process);
    if (isOurs && (await backend.probe(new URL(server.url))).is === "ready") return server;
    await finish(ledger, server, say);
  }
  return null;
}

/** Null when it can be had in none of these ways; then `why` says so. */
async function start(
  backend: Backend,
  { say }: Wish,
  why: string[],
  record: (server: Started) => void,
): Promise<Started | null> {
  const { recipe, title } = backend;
  const installed = recipe.find();
  if (installed !== null) return launch(backend, installed, record);
  why.push("it is not installed");
  if (canInstall()) {
    say(`${title}: installing ${recipe.packages.join(" ")}`);
    install(recipe.packages);
    const brought = recipe.find();
    if (brought !== null) return launch(backend, brought, record);
    why.push(`apt-get does not bring it (${recipe.packages.join(" ")})`);
  } else {
    why.push(`only root can install it, and by apt-get (${recipe.packages.join(" ")})`);
  }
  if (canCompose()) return compose(backend, record);
  why.push("there is no docker compose");
  return null;
}

async function finish(ledger: Ledger, server: Started, say: Wish["say"]): Promise<void> {
  const backend = backendOf(server.backend)!;
  if (server.kind === "process") await end(backend, server);
  else remove(server);
  ledger.remove(server);
  say(`${backend.title}: ended ${server.url}`);
}
