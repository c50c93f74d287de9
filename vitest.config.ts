import { configDefaults, type ViteUserConfig } from "vitest/config";

/** The packages resolve to their sources, so that nothing is built before a test. */
const conditions = ["@mageflow/source", "node", "module"];

/** After `minutes` a test is taken to hang. How fast something is, is not told by tests. */
function project(name: string, include: string[], minutes: number, env: Record<string, string> = {}) {
  const timeout = minutes * 60_000;
  return { extends: true as const, test: { name, include, env, testTimeout: timeout, hookTimeout: timeout } };
}

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    environment: "node",
    passWithNoTests: true,
    retry: 0,
    // Most of the time tests wait, so two files go on one processor; more would want more connections than servers give.
    maxWorkers: 2,
    reporters: [...configDefaults.reporters, "./scripts/servers/server-reporter.ts"],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.test-d.ts"],
    },
    projects: [
      project("unit", ["packages/*/src/**/*.test.ts"], 1),
      project("face", ["packages/mageflow/test/face/**/*.test.ts"], 1),
      project("face-bullmq", ["packages/mageflow/test/face/**/*.test.ts"], 1, {
        MAGEFLOW_TEST_ENGINE: "bullmq",
      }),
      project("stores", ["packages/mageflow/test/stores/**/*.test.ts"], 1),
      project("engines", ["packages/mageflow/test/engines/**/*.test.ts"], 1),
      project(
        "system",
        [
          "packages/*/test/system/**/*.test.ts",
          "examples/**/*.test.ts",
          "scripts/**/*.test.ts",
          "docs/**/*.test.ts",
        ],
        2,
      ),
    ],
  },
};

export default config;
