import type { ViteUserConfig } from "vitest/config";

/** The packages resolve to their sources, so that nothing is built before a test. */
const conditions = ["@mageflow/source", "node", "import", "module", "default"];

/** `minutes` covers tests that start processes or real databases; the unit project keeps vitest's 5 s. */
function project(name: string, include: string[], minutes?: number) {
  const timeout =
    minutes === undefined ? {} : { testTimeout: minutes * 60_000, hookTimeout: minutes * 60_000 };
  return { extends: true as const, test: { name, include, ...timeout } };
}

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    environment: "node",
    passWithNoTests: true,
    retry: 0,
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.test-d.ts"],
    },
    projects: [
      project("unit", ["packages/*/src/**/*.test.ts"]),
      project("face", ["packages/mageflow/test/face/**/*.test.ts"], 1),
      project("stores", ["packages/mageflow/test/stores/**/*.test.ts"], 1),
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
