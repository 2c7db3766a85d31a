/** Says what machine this is: cores, CPU, kernel. */
export async function describeMachine(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? `${Deno.build.arch} CPU`;
  const cores = navigator.hardwareConcurrency;
  return `${cores} ${cores === 1 ? "core" : "cores"} of ${model}, Linux ${Deno.osRelease()}`;
}
