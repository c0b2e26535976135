/** Gathers what the pages of the documents load, in the folder that wrangler serves. */
export declare function buildAssets(): void
