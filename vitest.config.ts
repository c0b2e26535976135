import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          TEST_MIGRATIONS: await readD1Migrations('migrations'),
          ENVIRONMENT: 'test',
          TOKEN_KEYS:
            'test-2:an-obviously-not-secret-key-of-the-tests-2,test-1:an-obviously-not-secret-key-of-the-tests-1',
          ADMIN_EMAIL: 'admin@test.praxis.example',
          ADMIN_PASSWORD: 'Test-Pass-1234!',
        },
      },
    }),
  ],
  test: { include: ['test/**/*.test.ts'], setupFiles: ['test/support/setup.ts'] },
}))
