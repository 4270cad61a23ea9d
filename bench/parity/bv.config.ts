export default { plugins: ['./record.ts'] };
