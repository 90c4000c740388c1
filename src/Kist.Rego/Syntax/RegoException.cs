using System.Collections.Immutable;

namespace Kist.Rego;

/// <summary>A policy that does not parse, compile or evaluate. Nothing else is thrown for a policy's faults.</summary>
public sealed class RegoException : Exception
{
    /// <summary>Creates the exception from at least one error.</summary>
    public RegoException(ImmutableArray<RegoError> errors, Exception? inner = null)
        : base(string.Join('\n', errors), inner) => Errors = errors;

    /// <summary>Creates the exception from one error.</summary>
    public RegoException(string code, string message, RegoLocation location, Exception? inner = null)
        : this([new RegoError(code, message, location)], inner)
    {
    }

    /// <summary>What is wrong, in the order of the source; never empty.</summary>
    public ImmutableArray<RegoError> Errors { get; }

    /// <summary>The code of the first error.</summary>
    public string Code => Errors[0].Code;
}
