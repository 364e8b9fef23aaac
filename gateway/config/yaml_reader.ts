/**
 * The package `yaml`, to be loaded on demand. A bundler knows the names of a package in CommonJS only where they are imported
 * statically.
 */

export { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
