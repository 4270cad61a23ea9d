// Lowerings of kernels to StableHLO.
export { type Created, hostCreation } from './creation';
export { isWeak, markWeak } from './promotion';
export { lowerings } from './table';
export { type Lowering } from './types';
