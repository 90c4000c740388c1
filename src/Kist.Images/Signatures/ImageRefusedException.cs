using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>A policy refuses an image.</summary>
public sealed class ImageRefusedException : OperationFailedException
{
    internal ImageRefusedException(string image, PolicyVerdict verdict)
        : base(
            "verify signatures", image,
            string.Join("; ", verdict.Findings.Where(f => !f.IsMet).Select(f => $"{f.Requirement}: {f.Reason}")),
            "sign the image with a key that the policy names: kist image sign") => Verdict = verdict;

    /// <summary>What the policy says.</summary>
    public PolicyVerdict Verdict { get; }
}
