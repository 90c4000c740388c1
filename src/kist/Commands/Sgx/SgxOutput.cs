using System.Text;
using System.Text.Json;

namespace Kist.Cli.Commands.Sgx;

/// <summary>Prints one result, either as one JSON object or as lines "name: value".</summary>
sealed class SgxOutput(bool json)
{
    private readonly List<(string Name, string Label, object? Value)> _members = [];

    public SgxOutput Add(string name, string label, ReadOnlySpan<byte> value) => Add(name, label, (object)Convert.ToHexStringLower(value));

    public SgxOutput Add(string name, string label, object? value)
    {
        _members.Add((name, label, value));
        return this;
    }

    public void Print()
    {
        if (json)
            PrintJson();
        else
            PrintText();
    }

    private void PrintText()
    {
        var width = _members.Max(m => m.Label.Length) + 2;
        foreach (var (_, label, value) in _members.Where(m => m.Value is not null))
            Console.Out.WriteLine($"{(label + ":").PadRight(width)}{(value is bool b ? b ? "yes" : "no" : value)}");
    }

    private void PrintJson()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            foreach (var (name, _, value) in _members)
            {
                writer.WritePropertyName(name);
                switch (value)
                {
                    case null:
                        writer.WriteNullValue();
                        break;
                    case bool flag:
                        writer.WriteBooleanValue(flag);
                        break;
                    case ulong number:
                        writer.WriteNumberValue(number);
                        break;
                    case uint number:
                        writer.WriteNumberValue(number);
                        break;
                    case ushort number:
                        writer.WriteNumberValue(number);
                        break;
                    case int number:
                        writer.WriteNumberValue(number);
                        break;
                    default:
                        writer.WriteStringValue(value.ToString());
                        break;
                }
            }

            writer.WriteEndObject();
        }

        Console.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
