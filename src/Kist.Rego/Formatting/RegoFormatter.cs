using Kist.Rego.Formatting;
using Kist.Rego.Syntax;

namespace Kist.Rego;

/// <summary>
/// Lays a module out: indentation by tabs, one space around operators and after commas, at most one blank line, none where a
/// block begins or ends. Lines stay where they were broken, comments stay where they were, and nothing but white space is
/// changed: what is formatted is read again and must be the same module. Formatting twice changes nothing more.
/// </summary>
public static class RegoFormatter
{
    /// <summary>The module's text, laid out.</summary>
    /// <exception cref="RegoException">rego_parse_error: the module is none.</exception>
    public static string Format(RegoModule module, RegoVersion version)
    {
        var tree = TreeOf(module, version);
        var text = new LayoutWriter(module.Text, Lexer.Tokenize(module.Name, module.Text)).Write();
        if (TreeOf(module with { Text = text }, version) != tree)
            throw new InvalidOperationException($"formatting {module.Name} would have changed its meaning");
        return text;
    }

    private static RegoValue TreeOf(RegoModule module, RegoVersion version) => ModuleTree.Of(Parser.ParseModule(module, version));
}
