import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { buildAssets } from './scripts/build-assets.mjs'

const secrets = {
  TOKEN_KEYS:
    'test-2:an-obviously-not-secret-key-of-the-tests-2,test-1:an-obviously-not-secret-key-of-the-tests-1',
  ADMIN_EMAIL: 'admin@test.praxis.example',
  ADMIN_PASSWORD: 'Test-Pass-1234!',
}
// The bindings below win over a developer's own; here they only spare the warning that none are set.
Object.assign(process.env, secrets)

// wrangler.toml names their folder.
buildAssets()

export default defineConfig({
  test: {
    // A request writes a log line: they are shown where a test fails.
    silent: 'passed-only',
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('migrations'),
                ENVIRONMENT: 'test',
                ...secrets,
              },
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.test.ts'],
          setupFiles: ['test/support/setup.ts'],
          // A busy machine may be slow; what must be quick, its test measures.
          testTimeout: 30_000,
        },
      },
      // What only Node can test: the tools around the Worker.
      { test: { name: 'node', include: ['test/**/*.test.mjs'], exclude: ['test/browser/**'] } },
      // What needs a browser as well: `npm run test:browser`.
      { test: { name: 'browser', include: ['test/browser/*.test.mjs'] } },
    ],
  },
})
