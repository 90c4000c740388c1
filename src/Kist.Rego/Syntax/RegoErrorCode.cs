namespace Kist.Rego;

/// <summary>The codes of <see cref="RegoError"/>: OPA's, and two of our own for limits.</summary>
public static class RegoErrorCode
{
    /// <summary>The text does not parse.</summary>
    public const string Parse = "rego_parse_error";

    /// <summary>The modules do not fit together.</summary>
    public const string Compile = "rego_compile_error";

    /// <summary>A name, an arity or a type is wrong.</summary>
    public const string Type = "rego_type_error";

    /// <summary>A variable is not bound by anything.</summary>
    public const string UnsafeVariable = "rego_unsafe_var_error";

    /// <summary>A rule depends on itself.</summary>
    public const string Recursion = "rego_recursion_error";

    /// <summary>A rule or function gave two different values, or an object two values for one key.</summary>
    public const string Conflict = "eval_conflict_error";

    /// <summary>A built-in function failed (seen only where errors are strict).</summary>
    public const string BuiltIn = "eval_builtin_error";

    /// <summary>A built-in function got an operand of the wrong type (seen only where errors are strict).</summary>
    public const string EvaluationType = "eval_type_error";

    /// <summary>The <c>with</c> keyword replaced what it cannot replace.</summary>
    public const string WithMerge = "eval_with_merge_error";

    /// <summary>The evaluation was cancelled.</summary>
    public const string Cancelled = "eval_cancel_error";

    /// <summary>Steps, depth, memory or time exceeded <see cref="RegoLimits"/>.</summary>
    public const string Limit = "eval_limit_error";

    /// <summary>Anything else that went wrong in evaluation.</summary>
    public const string Internal = "eval_internal_error";
}
