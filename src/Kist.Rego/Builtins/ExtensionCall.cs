namespace Kist.Rego.Builtins;

/// <summary>Calls functions that the host has added.</summary>
static class ExtensionCall
{
    public static Builtin Create(string name, int arity, RegoExtensionFunction compiled) => new(name, arity, (context, arguments) =>
    {
        var function = context.Options.Extensions is { } e && e.TryGet(name, out _, out var own) ? own : compiled;
        return function(arguments.ToArray());
    });
}
