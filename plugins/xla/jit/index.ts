// Tracing, compiling and calling functions over trees of tensors.
export { CompileCache } from './compile-cache';
export { ClientCompiler, type Compiler, parseFlags, TopologyCompiler } from './compiler';
export { jittedFrom, JitFunction } from './jit';
export { traceShapes } from './tracing';
