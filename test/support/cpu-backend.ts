// tfjs's cpu backend, without its advice for those who run it in Node.

import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode } from '@tensorflow/tfjs-core';

enableProdMode();
