declare namespace Cloudflare {
  interface Env {
    /** The migrations, read by the configuration of the tests. */
    TEST_MIGRATIONS: import('@cloudflare/vitest-plugin').D1Migration[]
  }
}
