/** Wrangler and the tests' plugin both hand `.wasm` files over as compiled modules. */
declare module '@phi-ag/argon2/argon2.wasm' {
  const module: WebAssembly.Module
  export default module
}
