// The structs of pjrt_c_api.h that we use, as declared there (C API 0.81; enums are 'int32'), without the first
// two fields that all share. A test compares this table with the header of the installed plugin.
//
// A plugin rejects a struct that is smaller than its own ("built with a later version"). Newer versions only
// append fields, and none of these has grown up to 0.117, the newest of the plugins in wheels.ts.

import { type Field, type Fields, type Kind } from './layout';

const tiled = {
  minor_to_major: 'pointer',
  minor_to_major_size: 'size',
  tile_dims: 'pointer',
  tile_dim_sizes: 'pointer',
  num_tiles: 'size',
} as const satisfies Fields;

const strides = { byte_strides: 'pointer', num_byte_strides: 'size' } as const satisfies Fields;

const apiVersion = { major_version: 'int32', minor_version: 'int32' } as const satisfies Fields;

export const structs = {
  PJRT_Api_Version: apiVersion,
  /** The table of functions follows: functions.ts. */
  PJRT_Api: { pjrt_api_version: { struct: apiVersion } },
  PJRT_NamedValue: {
    name: 'pointer',
    name_size: 'size',
    type: 'int32',
    value: {
      union: {
        string_value: 'pointer',
        int64_value: 'int64',
        int64_array_value: 'pointer',
        float_value: 'float',
        bool_value: 'bool',
      },
    },
    value_size: 'size',
  },
  PJRT_Program: { code: 'pointer', code_size: 'size', format: 'pointer', format_size: 'size' },
  PJRT_ExecuteOptions: {
    send_callbacks: 'pointer',
    recv_callbacks: 'pointer',
    num_send_ops: 'size',
    num_recv_ops: 'size',
    launch_id: 'int32',
    non_donatable_input_indices: 'pointer',
    num_non_donatable_input_indices: 'size',
    context: 'pointer',
    call_location: 'pointer',
    num_tasks: 'size',
    task_ids: 'pointer',
    incarnation_ids: 'pointer',
  },
  PJRT_Buffer_MemoryLayout_Tiled: tiled,
  PJRT_Buffer_MemoryLayout_Strides: strides,
  PJRT_Buffer_MemoryLayout: {
    layout: { union: { tiled: { struct: tiled }, strides: { struct: strides } } },
    type: 'int32',
  },
  PJRT_Error_Destroy_Args: { error: 'pointer' },
  PJRT_Error_Message_Args: { error: 'pointer', message: 'pointer', message_size: 'size' },
  PJRT_Error_GetCode_Args: { error: 'pointer', code: 'int32' },
  PJRT_Plugin_Initialize_Args: {},
  PJRT_Event_Destroy_Args: { event: 'pointer' },
  PJRT_Event_IsReady_Args: { event: 'pointer', is_ready: 'bool' },
  PJRT_Event_Error_Args: { event: 'pointer' },
  PJRT_Event_Await_Args: { event: 'pointer' },
  PJRT_Client_Create_Args: {
    create_options: 'pointer',
    num_options: 'size',
    kv_get_callback: 'pointer',
    kv_get_user_arg: 'pointer',
    kv_put_callback: 'pointer',
    kv_put_user_arg: 'pointer',
    client: 'pointer',
    kv_try_get_callback: 'pointer',
    kv_try_get_user_arg: 'pointer',
  },
  PJRT_KeyValueGetCallback_Args: {
    key: 'pointer',
    key_size: 'size',
    timeout_in_ms: 'int32',
    callback_error: 'pointer',
    user_arg: 'pointer',
    value: 'pointer',
    value_size: 'size',
    value_deleter_callback: 'pointer',
  },
  PJRT_KeyValueTryGetCallback_Args: {
    key: 'pointer',
    key_size: 'size',
    callback_error: 'pointer',
    user_arg: 'pointer',
    value: 'pointer',
    value_size: 'size',
    value_deleter_callback: 'pointer',
  },
  PJRT_KeyValuePutCallback_Args: {
    key: 'pointer',
    key_size: 'size',
    value: 'pointer',
    value_size: 'size',
    callback_error: 'pointer',
    user_arg: 'pointer',
  },
  PJRT_Client_Destroy_Args: { client: 'pointer' },
  PJRT_Client_PlatformName_Args: { client: 'pointer', platform_name: 'pointer', platform_name_size: 'size' },
  PJRT_Client_PlatformVersion_Args: {
    client: 'pointer',
    platform_version: 'pointer',
    platform_version_size: 'size',
  },
  PJRT_Client_Devices_Args: { client: 'pointer', devices: 'pointer', num_devices: 'size' },
  PJRT_Client_AddressableDevices_Args: {
    client: 'pointer',
    addressable_devices: 'pointer',
    num_addressable_devices: 'size',
  },
  PJRT_Client_Compile_Args: {
    client: 'pointer',
    program: 'pointer',
    compile_options: 'pointer',
    compile_options_size: 'size',
    executable: 'pointer',
  },
  PJRT_Client_BufferFromHostBuffer_Args: {
    client: 'pointer',
    data: 'pointer',
    type: 'int32',
    dims: 'pointer',
    num_dims: 'size',
    byte_strides: 'pointer',
    num_byte_strides: 'size',
    host_buffer_semantics: 'int32',
    device: 'pointer',
    memory: 'pointer',
    device_layout: 'pointer',
    done_with_host_buffer: 'pointer',
    buffer: 'pointer',
  },
  PJRT_Executable_DeserializeAndLoad_Args: {
    client: 'pointer',
    serialized_executable: 'pointer',
    serialized_executable_size: 'size',
    loaded_executable: 'pointer',
    overridden_serialized_compile_options: 'pointer',
    overridden_serialized_compile_options_size: 'size',
  },
  PJRT_DeviceDescription_Id_Args: { device_description: 'pointer', id: 'int32' },
  PJRT_DeviceDescription_ProcessIndex_Args: { device_description: 'pointer', process_index: 'int32' },
  PJRT_DeviceDescription_Attributes_Args: {
    device_description: 'pointer',
    num_attributes: 'size',
    attributes: 'pointer',
  },
  PJRT_DeviceDescription_Kind_Args: {
    device_description: 'pointer',
    device_kind: 'pointer',
    device_kind_size: 'size',
  },
  PJRT_DeviceDescription_ToString_Args: {
    device_description: 'pointer',
    to_string: 'pointer',
    to_string_size: 'size',
  },
  PJRT_Device_GetDescription_Args: { device: 'pointer', device_description: 'pointer' },
  PJRT_Device_IsAddressable_Args: { device: 'pointer', is_addressable: 'bool' },
  PJRT_Device_MemoryStats_Args: {
    device: 'pointer',
    bytes_in_use: 'int64',
    peak_bytes_in_use: 'int64',
    peak_bytes_in_use_is_set: 'bool',
    num_allocs: 'int64',
    num_allocs_is_set: 'bool',
    largest_alloc_size: 'int64',
    largest_alloc_size_is_set: 'bool',
    bytes_limit: 'int64',
    bytes_limit_is_set: 'bool',
    bytes_reserved: 'int64',
    bytes_reserved_is_set: 'bool',
    peak_bytes_reserved: 'int64',
    peak_bytes_reserved_is_set: 'bool',
    bytes_reservable_limit: 'int64',
    bytes_reservable_limit_is_set: 'bool',
    largest_free_block_bytes: 'int64',
    largest_free_block_bytes_is_set: 'bool',
    pool_bytes: 'int64',
    pool_bytes_is_set: 'bool',
    peak_pool_bytes: 'int64',
    peak_pool_bytes_is_set: 'bool',
  },
  PJRT_Executable_Destroy_Args: { executable: 'pointer' },
  PJRT_Executable_GetCostAnalysis_Args: {
    executable: 'pointer',
    num_properties: 'size',
    properties: 'pointer',
  },
  PJRT_Executable_OptimizedProgram_Args: { executable: 'pointer', program: 'pointer' },
  PJRT_Executable_Serialize_Args: {
    executable: 'pointer',
    serialized_bytes: 'pointer',
    serialized_bytes_size: 'size',
    serialized_executable: 'pointer',
    serialized_executable_deleter: 'pointer',
  },
  PJRT_Executable_OutputElementTypes_Args: {
    executable: 'pointer',
    output_types: 'pointer',
    num_output_types: 'size',
  },
  PJRT_Executable_OutputDimensions_Args: {
    executable: 'pointer',
    num_outputs: 'size',
    dims: 'pointer',
    dim_sizes: 'pointer',
  },
  PJRT_Executable_GetCompiledMemoryStats_Args: {
    executable: 'pointer',
    generated_code_size_in_bytes: 'int64',
    argument_size_in_bytes: 'int64',
    output_size_in_bytes: 'int64',
    alias_size_in_bytes: 'int64',
    temp_size_in_bytes: 'int64',
    host_generated_code_size_in_bytes: 'int64',
    host_argument_size_in_bytes: 'int64',
    host_output_size_in_bytes: 'int64',
    host_alias_size_in_bytes: 'int64',
    host_temp_size_in_bytes: 'int64',
    peak_memory_in_bytes: 'int64',
  },
  PJRT_LoadedExecutable_Destroy_Args: { executable: 'pointer' },
  PJRT_LoadedExecutable_GetExecutable_Args: { loaded_executable: 'pointer', executable: 'pointer' },
  PJRT_LoadedExecutable_AddressableDevices_Args: {
    executable: 'pointer',
    addressable_devices: 'pointer',
    num_addressable_devices: 'size',
  },
  PJRT_LoadedExecutable_Execute_Args: {
    executable: 'pointer',
    options: 'pointer',
    argument_lists: 'pointer',
    num_devices: 'size',
    num_args: 'size',
    output_lists: 'pointer',
    device_complete_events: 'pointer',
    execute_device: 'pointer',
  },
  PJRT_Buffer_Destroy_Args: { buffer: 'pointer' },
  PJRT_Buffer_Device_Args: { buffer: 'pointer', device: 'pointer' },
  PJRT_Buffer_IsDeleted_Args: { buffer: 'pointer', is_deleted: 'bool' },
  PJRT_Buffer_ToHostBuffer_Args: {
    src: 'pointer',
    host_layout: 'pointer',
    dst: 'pointer',
    dst_size: 'size',
    event: 'pointer',
  },
  PJRT_Buffer_ReadyEvent_Args: { buffer: 'pointer', event: 'pointer' },
  PJRT_TopologyDescription_Create_Args: {
    topology_name: 'pointer',
    topology_name_size: 'size',
    create_options: 'pointer',
    num_options: 'size',
    topology: 'pointer',
  },
  PJRT_TopologyDescription_Destroy_Args: { topology: 'pointer' },
  PJRT_TopologyDescription_PlatformName_Args: {
    topology: 'pointer',
    platform_name: 'pointer',
    platform_name_size: 'size',
  },
  PJRT_TopologyDescription_GetDeviceDescriptions_Args: {
    topology: 'pointer',
    descriptions: 'pointer',
    num_descriptions: 'size',
  },
  PJRT_Compile_Args: {
    topology: 'pointer',
    program: 'pointer',
    compile_options: 'pointer',
    compile_options_size: 'size',
    client: 'pointer',
    executable: 'pointer',
  },
} as const satisfies Record<string, Fields>;

export type StructName = keyof typeof structs;

type KindOf<F> = F extends Kind ? F : never;
type MembersOf<F> = F extends { readonly union: infer U } ? U : never;
type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never;
type Named<S extends Fields> = S & UnionToIntersection<MembersOf<Extract<S[keyof S], Field>>>;

/** The scalar fields of a struct by name, a union's members among them, with their kinds. */
export type Scalars<N extends StructName> = {
  readonly [
    F in keyof Named<(typeof structs)[N]> as KindOf<Named<(typeof structs)[N]>[F]> extends never ? never : F
  ]: KindOf<Named<(typeof structs)[N]>[F]>;
};
