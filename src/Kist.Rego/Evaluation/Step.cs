namespace Kist.Rego.Evaluation;

/// <summary>
/// One step of a body. A chain of steps is run from its first; a <see cref="TestStep"/> holds or fails, a
/// <see cref="BranchStep"/> runs the rest of the chain once for each solution.
/// </summary>
abstract class Step
{
    /// <summary>The step after this one; every chain ends in a branch step that has none.</summary>
    public Step Next = null!;

    /// <summary>The expression it belongs to, for traces.</summary>
    public ExpressionNote? Note;

    /// <summary>Runs a chain.</summary>
    /// <returns>False if the evaluation of this body shall stop: the solution that was wanted is found.</returns>
    public static bool Run(Step step, Activation a)
    {
        while (true)
        {
            a.Evaluation.Tick();
            if (a.Evaluation.Coverage is { } coverage && step.Note is { } note)
                coverage.Reach(note.At);
            if (step is TestStep test)
            {
                if (!test.Holds(a))
                {
                    if (a.Evaluation.Tracer is { } tracer)
                        tracer.Failed(step, a);
                    return true;
                }

                step = step.Next;
                continue;
            }

            return ((BranchStep)step).Run(a);
        }
    }
}

abstract class TestStep : Step
{
    public abstract bool Holds(Activation a);
}

abstract class BranchStep : Step
{
    /// <inheritdoc cref="Step.Run(Step, Activation)"/>
    public abstract bool Run(Activation a);
}
