/** Rules of ours for `deno lint`. What is imported or compiled at run time could be a planted file: crxn runs as root. */

const visitor = (context: Deno.lint.RuleContext): Deno.lint.LintVisitor => ({
  ImportExpression(node) {
    if (node.source.type === "Literal") return;
    context.report({ node, message: "A computed import can be led to a planted file.", hint: "Import by a literal." });
  },
  NewExpression(node) {
    if (node.callee.type !== "Identifier" || !["Function", "Worker"].includes(node.callee.name)) return;
    context.report({ node, message: `new ${node.callee.name}() runs code that the bundle does not have.` });
  },
});

export default {
  name: "crxn",
  rules: { "no-computed-import": { create: visitor } },
} satisfies Deno.lint.Plugin;
