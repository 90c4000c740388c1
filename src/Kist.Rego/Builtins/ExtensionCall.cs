using Kist.Rego.Evaluation;

namespace Kist.Rego.Builtins;

/// <summary>Calls functions that the host has added.</summary>
static class ExtensionCall
{
    /// <summary>The function as it was added now; an evaluation may bring another implementation of it.</summary>
    public static Builtin Create(string name, RegoExtensions extensions)
    {
        extensions.TryGet(name, out var arity, out var compiled);
        return new Builtin(name, arity, (context, arguments) =>
        {
            var function = context.Options.Extensions is { } own && own.TryGet(name, out _, out var given) ? given : compiled;
            try
            {
                return function(arguments.ToArray());
            }
            catch (Exception e) when (e is not (RegoException or OperationCanceledException))
            {
                // A policy may negate a call: a host that fails must not look like a function that is undefined.
                throw new RegoException(RegoErrorCode.BuiltIn, $"{name}: {e.Message}", default, e);
            }
        });
    }
}
