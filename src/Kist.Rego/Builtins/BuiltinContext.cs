using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Kist.Rego.Evaluation;

namespace Kist.Rego.Builtins;

/// <summary>What built-in functions get beside their arguments: typed access to them, errors, limits and shared state.</summary>
sealed partial class BuiltinContext(RegoEvaluation evaluation)
{
    private Builtin _current = null!;
    private RegoLocation _at;

    public RegoEvaluation Evaluation => evaluation;

    public RegoEvaluationOptions Options => evaluation.Options;

    public RegoValue? Call(Builtin builtin, RegoValue[] arguments, RegoLocation at)
    {
        (_current, _at) = (builtin, at);
        try
        {
            return builtin.Body(this, arguments);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException e)
        {
            throw new RegoException(RegoErrorCode.Limit, $"{builtin.Name}: the expression took too long", at, e);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or InvalidOperationException or
            System.Security.Cryptography.CryptographicException or NotSupportedException or System.Formats.Asn1.AsnContentException or
            Formats.OperationFailedException or IndexOutOfRangeException)
        {
            return Fail(e.Message);
        }
    }

    /// <summary>The call has failed: undefined, or an error where those are strict.</summary>
    public RegoValue? Fail(string message) =>
        Options.StrictBuiltInErrors
            ? throw Fault.Of(RegoErrorCode.BuiltIn, $"{_current.DisplayName}: {message}", _at)
            : null;

    /// <summary>An operand is not what it must be; <paramref name="position"/> counts from 0.</summary>
    public RegoValue? FailOperand(int position, string message) =>
        Options.StrictBuiltInErrors
            ? throw Fault.Of(RegoErrorCode.EvaluationType, $"{_current.DisplayName}: operand {position + 1} {message}", _at)
            : null;

    /// <summary>An operand has the wrong type.</summary>
    public RegoValue? FailType(int position, string expected, RegoValue actual) =>
        FailOperand(position, $"{(expected.StartsWith('{') ? "must be one of" : "must be")} {expected} but got {actual.Type.Name()}");

    /// <summary>An element of an operand has the wrong type.</summary>
    public RegoValue? FailElement(int position, RegoValue collection, string expected, RegoValue actual)
    {
        var type = collection.Type.Name();
        var of = expected.StartsWith('{') ? $"(any of) {expected}" : $"{expected}s";
        return FailOperand(position, $"must be {type} of {of} but got {type} containing {actual.Type.Name()}");
    }

    public bool String(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out string? value)
    {
        value = (arguments[i] as RegoString)?.Value;
        if (value is null)
            FailType(i, "string", arguments[i]);
        return value is not null;
    }

    public bool Number(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out RegoNumber? value)
    {
        value = arguments[i] as RegoNumber;
        if (value is null)
            FailType(i, "number", arguments[i]);
        return value is not null;
    }

    public bool Integer(ReadOnlySpan<RegoValue> arguments, int i, out BigInteger value)
    {
        value = default;
        if (!Number(arguments, i, out var number))
            return false;
        if (number.TryGetInteger(out value))
            return true;
        FailOperand(i, "must be integer number but got floating-point number");
        return false;
    }

    /// <summary>An integer that fits 32 bits.</summary>
    public bool Int32(ReadOnlySpan<RegoValue> arguments, int i, out int value)
    {
        value = 0;
        if (!Integer(arguments, i, out var big))
            return false;
        if (big < int.MinValue || big > int.MaxValue)
        {
            FailOperand(i, "is out of range");
            return false;
        }

        value = (int)big;
        return true;
    }

    public bool Boolean(ReadOnlySpan<RegoValue> arguments, int i, out bool value)
    {
        value = (arguments[i] as RegoBoolean)?.Value ?? false;
        if (arguments[i] is RegoBoolean)
            return true;
        FailType(i, "boolean", arguments[i]);
        return false;
    }

    public bool Array(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out RegoArray? value)
    {
        value = arguments[i] as RegoArray;
        if (value is null)
            FailType(i, "array", arguments[i]);
        return value is not null;
    }

    public bool Object(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out RegoObject? value)
    {
        value = arguments[i] as RegoObject;
        if (value is null)
            FailType(i, "object", arguments[i]);
        return value is not null;
    }

    public bool Set(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out RegoSet? value)
    {
        value = arguments[i] as RegoSet;
        if (value is null)
            FailType(i, "set", arguments[i]);
        return value is not null;
    }

    /// <summary>The items of an array or a set.</summary>
    public bool ArrayOrSet(ReadOnlySpan<RegoValue> arguments, int i, out ReadOnlySpan<RegoValue> items)
    {
        switch (arguments[i])
        {
            case RegoArray array:
                items = array.Items;
                return true;
            case RegoSet set:
                items = set.Items;
                return true;
            default:
                items = default;
                FailType(i, "{set, array}", arguments[i]);
                return false;
        }
    }

    /// <summary>The strings in an array or a set.</summary>
    public bool Strings(ReadOnlySpan<RegoValue> arguments, int i, [NotNullWhen(true)] out string[]? strings)
    {
        strings = null;
        if (!ArrayOrSet(arguments, i, out var items))
            return false;
        var result = new string[items.Length];
        for (var n = 0; n < items.Length; n++)
        {
            if (items[n] is not RegoString s)
            {
                FailElement(i, arguments[i], "string", items[n]);
                return false;
            }

            result[n] = s.Value;
        }

        strings = result;
        return true;
    }

    /// <summary>A string result whose size is counted.</summary>
    public RegoString Text(string value)
    {
        evaluation.Charge(value.Length * 2L);
        return new RegoString(value);
    }
}
