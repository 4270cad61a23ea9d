// Devices in a mesh, and arrays over them.
export { type ArrayType, describeArrayType, type DeviceArray, Devices, disposeArray } from './device-array';
export { DeviceMesh, type Sharding } from './device-mesh';
export { distinct, heldAt, rowsAt } from './places';
