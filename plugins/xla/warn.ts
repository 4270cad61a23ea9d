// Warnings about performance and caches: process warnings, so that they reach people and tests without a logger.

export type WarningKind = 'RetraceWarning' | 'CompileCacheWarning';

export function warn(kind: WarningKind, message: string): void {
  process.emitWarning(message, kind);
}
