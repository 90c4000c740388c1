using System.Diagnostics.CodeAnalysis;

namespace Kist.Rego;

/// <summary>The types of values, in the order in which values of different types are sorted.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "These are the language's own type names.")]
public enum RegoType
{
    /// <summary>null.</summary>
    Null,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>An exact decimal number.</summary>
    Number,

    /// <summary>Text.</summary>
    String,

    /// <summary>An array.</summary>
    Array,

    /// <summary>A map from any values to any values.</summary>
    Object,

    /// <summary>A set of any values.</summary>
    Set,
}

static class RegoTypeNames
{
    /// <summary>The type's name as <c>type_name</c> and error messages spell it.</summary>
    public static string Name(this RegoType type) => type switch
    {
        RegoType.Null => "null",
        RegoType.Boolean => "boolean",
        RegoType.Number => "number",
        RegoType.String => "string",
        RegoType.Array => "array",
        RegoType.Object => "object",
        _ => "set",
    };
}
