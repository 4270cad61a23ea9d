// Reading compiled programs.
export { collectivesOf } from './collectives';
export { type HloModule, readHlo } from './module';
