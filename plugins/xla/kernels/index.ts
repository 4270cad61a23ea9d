// Lowerings of kernels to StableHLO.
export { type Created, hostCreation } from './creation';
export { asWeak, isWeak } from './promotion';
export { lowerings } from './table';
export { type Lowering } from './types';
