// The type of gzipped files, which the bundler inlines in base64.

declare module "*.gz" {
  const base64: string;
  export default base64;
}
