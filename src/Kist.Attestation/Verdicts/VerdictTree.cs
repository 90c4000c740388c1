using System.Text;

namespace Kist.Attestation;

/// <summary>A verdict as a tree for a person to read: one branch for each part of a finding's dotted code.</summary>
public static class VerdictTree
{
    /// <summary>Writes the tree.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="verdict">What to show.</param>
    /// <param name="color">True to use ANSI colours.</param>
    /// <param name="subject">What was judged, such as a file's name; null to leave it out.</param>
    public static void Write(TextWriter writer, Verdict verdict, bool color = false, string? subject = null)
    {
        var style = new Style(color);
        var outcome = verdict.IsAccepted ? style.Good("ACCEPTED") : style.Bad("REFUSED");
        var name = subject is null ? "" : $"{EvidenceText.Printable(subject)}: ";
        writer.WriteLine($"{name}{EvidenceText.Printable(verdict.Tee)} evidence {outcome}, as of {Timestamp.Format(verdict.At)}");
        if (verdict.IsSimulated)
            writer.WriteLine(style.Bad("  SIMULATED platform: this evidence protects nothing"));
        if (verdict.IsDebug)
            writer.WriteLine(style.Bad("  DEBUGGABLE: the machine's owner may read and change this TEE's memory"));

        var root = new Node("");
        foreach (var finding in verdict.Findings)
            root.Add(finding.Id.Split('.'), finding);
        root.WriteChildren(writer, "", style, verdict.DecisiveFailure);
        if (verdict.DecisiveFailure is { } decisive)
        {
            writer.WriteLine($"decided by {style.Bad(EvidenceText.Printable(decisive.Id))}: {EvidenceText.Printable(decisive.Why)}");
            if (decisive.Remedy is { } remedy)
                writer.WriteLine($"what to do: {EvidenceText.Printable(remedy)}");
        }
    }

    /// <summary>The tree as text without colours.</summary>
    public static string ToText(Verdict verdict, string? subject = null)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        Write(writer, verdict, color: false, subject);
        return writer.ToString();
    }

    private sealed class Node(string name)
    {
        private readonly List<Node> _children = [];
        private readonly List<Finding> _findings = [];

        public void Add(ReadOnlySpan<string> path, Finding finding)
        {
            if (path.IsEmpty)
            {
                _findings.Add(finding);
                return;
            }

            var head = path[0];
            var child = _children.Find(c => c.Name == head);
            if (child is null)
                _children.Add(child = new Node(head));
            child.Add(path[1..], finding);
        }

        private string Name => name;

        public void WriteChildren(TextWriter writer, string indent, Style style, Finding? decisive)
        {
            for (var i = 0; i < _children.Count; i++)
            {
                var last = i == _children.Count - 1;
                _children[i].Write(writer, indent + (last ? "└─ " : "├─ "), indent + (last ? "   " : "│  "), style, decisive);
            }
        }

        private void Write(TextWriter writer, string first, string rest, Style style, Finding? decisive)
        {
            if (_findings.Count == 0)
                writer.WriteLine($"{first}{EvidenceText.Printable(name)}");
            foreach (var finding in _findings)
                WriteFinding(writer, finding, first, rest, style, decisive);
            WriteChildren(writer, rest, style, decisive);
        }

        private void WriteFinding(TextWriter writer, Finding finding, string first, string rest, Style style, Finding? decisive)
        {
            var mark = finding.Outcome switch
            {
                FindingOutcome.Pass => style.Good("✓"),
                FindingOutcome.Fail => style.Bad("✗"),
                _ => style.Dim("–"),
            };
            var decides = ReferenceEquals(finding, decisive) ? style.Bad(" [decisive]") : "";
            writer.WriteLine($"{first}{mark} {EvidenceText.Printable(name)}{decides}  {EvidenceText.Printable(finding.Why)}");
            var detail = rest + (_children.Count > 0 ? "│    " : "     ");
            if (finding.Outcome == FindingOutcome.Fail)
            {
                WriteDetail(writer, detail, "expected", finding.Expected);
                WriteDetail(writer, detail, "actual", finding.Actual);
                WriteDetail(writer, detail, "spec", finding.SpecReference);
            }
            else if (finding.Outcome == FindingOutcome.Pass)
            {
                WriteDetail(writer, detail, null, finding.Actual is { Length: <= 160 } ? finding.Actual : null);
            }

            if (finding.Outcome != FindingOutcome.Pass)
                WriteDetail(writer, detail, "remedy", finding.Remedy);
        }

        private static void WriteDetail(TextWriter writer, string indent, string? label, string? value)
        {
            if (value is not null)
                writer.WriteLine(label is null ? $"{indent}{EvidenceText.Printable(value)}" : $"{indent}{label + ":",-10}{EvidenceText.Printable(value)}");
        }
    }

    private readonly struct Style(bool color)
    {
        public string Good(string text) => color ? $"\e[32m{text}\e[0m" : text;

        public string Bad(string text) => color ? $"\e[1;31m{text}\e[0m" : text;

        public string Dim(string text) => color ? $"\e[2m{text}\e[0m" : text;
    }
}
