/** Fills `{{name}}` in a template. @throws Error for a name without value: a template that does not fit is a bug. */
export function fill(template: string, values: Record<string, string>): string {
  const text = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`No value for {{${name}}}`);
    return value;
  });
  // An empty value may leave blank lines behind.
  return text.replace(/\n{3,}/g, "\n\n").trimEnd() + "\n";
}
