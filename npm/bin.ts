// The program of the npm package. It has a file of its own because `import.meta.main` is undefined on Node 20.
import { main } from "../src/cli/main.ts";

await main();
