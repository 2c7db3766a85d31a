export { LightSignal } from "../client/light_signal.ts";
