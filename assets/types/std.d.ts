// Types of the @std modules we use. `npm:deno-std` carries the original code without its types (docs/dependencies.md);
// when the import map points at JSR these declarations are shadowed by the real ones and this file can go.

declare module "@std/assert" {
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  // deno-lint-ignore no-explicit-any
  export function assertThrows(fn: () => unknown, ErrorClass?: any, msgIncludes?: string, msg?: string): Error;
  // deno-lint-ignore no-explicit-any
  export function assertRejects(fn: () => Promise<unknown>, ErrorClass?: any, msg?: string): Promise<Error>;
}

declare module "@std/yaml" {
  export function parse(content: string): unknown;
  export function stringify(data: unknown, options?: { lineWidth?: number; useAnchors?: boolean }): string;
}

declare module "@std/fmt/colors" {
  export function bold(text: string): string;
  export function dim(text: string): string;
  export function red(text: string): string;
  export function green(text: string): string;
  export function yellow(text: string): string;
  export function cyan(text: string): string;
  export function setColorEnabled(value: boolean): void;
}

declare module "hjson" {
  interface Rt {
    parse(text: string): unknown;
    stringify(value: unknown, options?: { bracesSameLine?: boolean; quotes?: string; space?: number }): string;
  }
  export const rt: Rt;
  export function parse(text: string): unknown;
  const hjson: { rt: Rt; parse(text: string): unknown };
  export default hjson;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}
