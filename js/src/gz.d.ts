/** A file, in base64. */
declare module "*.gz" {
  const base64: string;
  export default base64;
}
